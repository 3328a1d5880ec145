#!/usr/bin/env node
// The first that runs: compiled code is looked for before anything of the program is loaded.
import { keepCompiledCode } from './compile-cache.js';

keepCompiledCode();
await import('./program.js');

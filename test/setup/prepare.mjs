#!/usr/bin/env node
// Makes a fresh Debian machine ready for the tests, the demo and the benches:
//
//   node test/setup/prepare.mjs [--hdfs] [--reports] [--bench] [--matrix] [--workloads] [--kernel=<release prefix>]
//
// --hdfs       also what a real HDFS needs: Java, Maven and Hadoop's jars
// --reports    also what reports are opened in and held against
// --bench      also what benches compare with
// --matrix     all guest kernels that the matrix boots, two of which are built
// --workloads  also what guests under real workloads are made from
// --kernel     this guest kernel instead of the tests' three, 6.12. for one
//
// Run it as often as you like: what is there is left alone, without the network.

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installMissingPackages } from './apt-packages.mjs';
import { buildKernel, builtFlavours } from './built-kernel.mjs';
import { SetupError } from './command.mjs';
import { fetchHadoopJars } from './hadoop-jars.mjs';
import { fetchKernel, kernelFlavours, kernelSeries, testedSeries } from './kernel.mjs';
import { fetchLuceneJars } from './lucene-jars.mjs';
import { build, checkNode, installDependencies } from './npm.mjs';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

function log(line) {
  console.log(line);
}

async function prepare({ hdfs, reports, bench, matrix, workloads, kernel }) {
  checkNode(log, REPOSITORY);
  installMissingPackages(log, { hdfs, reports, bench, matrix, workloads });
  installDependencies(log, REPOSITORY);
  build(log, REPOSITORY);
  fetchKernels({ matrix, kernel });
  if (matrix) {
    builtFlavours.forEach((flavour) => buildKernel(log, flavour));
  }
  if (hdfs) {
    await fetchHadoopJars(log);
  }
  if (workloads) {
    await fetchLuceneJars(log);
  }
}

function fetchKernels({ matrix, kernel }) {
  const tested = kernel === undefined ? Object.values(testedSeries) : [kernel];
  const series = matrix ? kernelSeries : tested;
  const flavours = matrix ? kernelFlavours : ['cloud'];
  for (const releasePrefix of series) {
    for (const flavour of flavours) {
      fetchKernel(log, releasePrefix, flavour);
    }
  }
}

try {
  const { values } = parseArgs({
    options: {
      hdfs: { type: 'boolean', default: false },
      reports: { type: 'boolean', default: false },
      bench: { type: 'boolean', default: false },
      matrix: { type: 'boolean', default: false },
      workloads: { type: 'boolean', default: false },
      kernel: { type: 'string' },
    },
  });
  await prepare(values);
  log('ready');
} catch (error) {
  if (!(error instanceof SetupError) && error.code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    throw error;
  }
  console.error(`prepare: ${error.message}`);
  process.exitCode = 1;
}

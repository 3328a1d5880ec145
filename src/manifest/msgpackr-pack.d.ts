// The package's own types for this entry re-export from '.', which TypeScript does not resolve for ES modules.
declare module 'msgpackr/pack' {
  export { Packr } from 'msgpackr';
}

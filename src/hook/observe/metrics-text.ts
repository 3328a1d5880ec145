// Figures as Prometheus reads them: the text format 0.0.4, for the textfile collector of node_exporter. Pure.

export type MetricKind = 'gauge' | 'counter';

export interface MetricSample {
  /** Absent for a figure of the host. */
  readonly vm?: string;
  readonly value: number;
}

export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly kind: MetricKind;
  readonly samples: readonly MetricSample[];
}

/** A family without samples is left out. */
export function metricsText(families: readonly MetricFamily[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, help, kind, samples }) =>
      [
        `# HELP ${name} ${escaped(help)}`,
        `# TYPE ${name} ${kind}`,
        ...samples.map(({ vm, value }) => {
          const labels = vm === undefined ? '' : `{vm="${escaped(vm).replaceAll('"', '\\"')}"}`;
          return `${name}${labels} ${numberText(value)}`;
        }),
        '',
      ].join('\n'),
    )
    .join('');
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  return Number.isNaN(value) ? 'NaN' : String(value).replace('Infinity', 'Inf');
}

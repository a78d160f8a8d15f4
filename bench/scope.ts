/** What the lab's test helpers need of a test; its teardowns run when the bench ends. */
export interface BenchScope {
  teardown(handler: () => unknown): void;
  comment(text: string): void;
}

/** Options of all benches, as written. */
export interface BenchOptions {
  readonly runs?: string | undefined;
  readonly "source-dir"?: string | undefined;
  readonly "extra-vars"?: string[] | undefined;
  readonly viewers?: string | undefined;
  readonly build?: string | undefined;
  readonly "peer-srs"?: string | undefined;
  readonly fragments?: string | undefined;
  readonly part?: string[] | undefined;
  readonly hosts?: string | undefined;
  readonly rtt?: string | undefined;
}

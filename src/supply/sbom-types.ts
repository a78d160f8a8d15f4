/** As much of CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/) as is written here. */
export interface Component {
  readonly type: "application" | "library" | "file" | "device";
  /** Unique in the document; the tool that wrote it has none. */
  readonly "bom-ref"?: string;
  readonly name: string;
  readonly version?: string;
  readonly description?: string;
  readonly hashes?: readonly Hash[];
  readonly licenses?: readonly { readonly license: { readonly id: string } }[];
  readonly purl?: string;
  readonly externalReferences?: readonly ExternalReference[];
  readonly components?: readonly Component[];
  readonly pedigree?: Pedigree;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

/** A component that dependencies can name. */
export type Referable = Component & { readonly "bom-ref": string };

export interface Hash {
  readonly alg: "SHA-256";
  readonly content: string;
}

export interface ExternalReference {
  readonly type: "source-distribution" | "website" | "vcs";
  readonly url: string;
  readonly comment?: string;
  readonly hashes?: readonly Hash[];
}

export interface Pedigree {
  readonly ancestors?: readonly Component[];
  readonly patches: readonly {
    readonly type: "unofficial" | "backport";
    readonly diff?: { readonly url: string };
    readonly resolves?: readonly { readonly type: "security"; readonly id: string }[];
  }[];
  readonly notes?: string;
}

export interface Bom {
  readonly $schema: string;
  readonly bomFormat: "CycloneDX";
  readonly specVersion: "1.6";
  readonly serialNumber?: string;
  readonly version: number;
  readonly metadata: {
    readonly timestamp?: string;
    readonly tools: { readonly components: readonly Component[] };
    readonly component: Referable;
  };
  readonly components: readonly Referable[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

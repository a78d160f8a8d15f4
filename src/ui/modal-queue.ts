/** A question that waits for the operator while a view is up. */
export type Modal =
  | { readonly kind: "confirm"; readonly text: string; readonly answer: (yes: boolean) => void }
  | { readonly kind: "secret" | "text"; readonly text: string; readonly answer: (text: string | undefined) => void };

/** Questions of several hosts at once, one after the other. */
export class ModalQueue {
  readonly #waiting: Modal[] = [];

  /** @param onChange told of the question that is on the screen now */
  constructor(private readonly onChange: (modal: Modal | undefined) => void) {}

  confirm(text: string): Promise<boolean> {
    return new Promise((resolve) => {
      this.#ask({ kind: "confirm", text, answer: (yes) => this.#answered(() => resolve(yes)) });
    });
  }

  /** @param kind `secret` hides what is typed */
  line(kind: "secret" | "text", text: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#ask({ kind, text, answer: (given) => this.#answered(() => resolve(given)) });
    });
  }

  #ask(modal: Modal): void {
    this.#waiting.push(modal);
    this.onChange(this.#waiting[0]);
  }

  #answered(give: () => void): void {
    this.#waiting.shift();
    this.onChange(this.#waiting[0]);
    give();
  }
}

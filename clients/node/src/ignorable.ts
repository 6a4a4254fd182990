/**
 * A promise that may be ignored: its rejection is never an "unhandledRejection", which would end the process. Whether
 * someone listens is known, so that a failure nobody listens for can be shown in another way. Awaiting it, or calling
 * then, catch or finally, works as with any promise.
 */
export class IgnorablePromise<T> extends Promise<T> {
  private isObserved = false;

  /** Promises derived from this one are ordinary: who derives one has to handle it. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  // biome-ignore lint/suspicious/noThenProperty: a promise has a then.
  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.isObserved = true;
    return super.then(onFulfilled, onRejected);
  }

  /** Calls `report` some time after a rejection, with whether someone listens by then. */
  onRejection(report: (error: unknown, isObserved: boolean) => void): this {
    super.then(undefined, (error) => {
      // `await` subscribes one turn of the microtask queue late; after setImmediate it has.
      setImmediate(() => report(error, this.isObserved));
    });
    return this;
  }
}

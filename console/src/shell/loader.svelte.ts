import { toApiError, type ApiError } from '../api/errors';

/// Something that is fetched: its value, or why there is none. Of two runs the later one counts.
export class Loader<T> {
  value = $state.raw<T>();
  error = $state.raw<ApiError>();
  busy = $state(false);
  private turn = 0;

  /// Keeps the old value while the new one is fetched. Returns undefined where it failed or was overtaken.
  async run(load: () => Promise<T>): Promise<T | undefined> {
    const turn = ++this.turn;
    this.busy = true;
    try {
      const value = await load();
      if (turn !== this.turn) return undefined;
      this.value = value;
      this.error = undefined;
      return value;
    } catch (error) {
      if (turn === this.turn) this.error = toApiError(error);
      return undefined;
    } finally {
      if (turn === this.turn) this.busy = false;
    }
  }

  clear(): void {
    this.turn++;
    this.value = undefined;
    this.error = undefined;
    this.busy = false;
  }
}

// Keeps the last of what comes, and lets only so many a second onto the page; the rest is counted.

export class Tail<T> {
  items: T[] = [];
  skipped = 0;
  total = 0;
  private second = 0;
  private taken = 0;

  constructor(private readonly kept: number, private readonly perSecond: number) {}

  add(item: T, nowMs: number): boolean {
    const second = Math.floor(nowMs / 1000);
    if (second !== this.second) {
      this.second = second;
      this.taken = 0;
    }
    this.total++;
    if (this.taken >= this.perSecond) {
      this.skipped++;
      return false;
    }
    this.taken++;
    this.items.push(item);
    // In blocks, so that a busy list is not moved at each message.
    if (this.items.length > this.kept * 1.2) this.items = this.items.slice(-this.kept);
    return true;
  }

  get last(): readonly T[] {
    return this.items.slice(-this.kept);
  }

  clear(): void {
    this.items = [];
    this.skipped = 0;
    this.total = 0;
  }
}

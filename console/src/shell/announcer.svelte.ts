/// What a screen reader is told politely; drawn by App in one live region that is always there.
class Announcer {
  lines = $state<{ id: number; text: string }[]>([]);
  private next = 0;

  say(text: string): void {
    this.lines = [...this.lines.slice(-4), { id: this.next++, text }];
  }
}

export const announcer = new Announcer();

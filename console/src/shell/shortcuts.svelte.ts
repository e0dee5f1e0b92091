const storageName = 'heng.single-keys';

/// Single-key shortcuts can be switched off (WCAG 2.1.4): they get in the way of speech input.
class Shortcuts {
  enabled = $state(true);

  start(): void {
    this.enabled = localStorage.getItem(storageName) !== 'off';
  }

  set(enabled: boolean): void {
    this.enabled = enabled;
    localStorage.setItem(storageName, enabled ? 'on' : 'off');
  }

  /// The single key pressed outside of any field, or undefined.
  keyOf(event: KeyboardEvent): string | undefined {
    if (!this.enabled || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return undefined;
    const target = event.target as HTMLElement | null;
    if (target?.closest('input, textarea, select, [contenteditable], dialog')) return undefined;
    return event.key;
  }
}

export const shortcuts = new Shortcuts();

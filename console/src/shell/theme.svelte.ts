export type Theme = 'system' | 'light' | 'dark';

export const themes: readonly Theme[] = ['system', 'light', 'dark'];

const storageName = 'heng.theme';

/// Light or dark. `system` follows the operating system; the choice is remembered in the browser.
class Appearance {
  theme = $state<Theme>('system');

  start(): void {
    const stored = localStorage.getItem(storageName);
    this.set(themes.find((theme) => theme === stored) ?? 'system');
  }

  set(theme: Theme): void {
    this.theme = theme;
    localStorage.setItem(storageName, theme);
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }

  next(): void {
    this.set(themes[(themes.indexOf(this.theme) + 1) % themes.length] ?? 'system');
  }
}

export const appearance = new Appearance();

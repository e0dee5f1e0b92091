import { en, type Key } from './en';
import { zh } from './zh';

export type { Key };
export type Language = 'zh' | 'en';
export type Parameters = Record<string, string | number>;

const storageName = 'heng.language';
const texts: Record<Language, Record<Key, string>> = { en, zh };

/// The text for a key, with {name} replaced. `n: 1` takes the key's “.one” form where there is one.
export function translate(language: Language, key: Key, parameters: Parameters = {}): string {
  const one = `${key}.one`;
  const chosen = parameters.n === 1 && one in texts[language] ? (one as Key) : key;
  return texts[language][chosen].replace(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole));
}

export function preferredLanguage(stored: string | null, browser: readonly string[]): Language {
  if (stored === 'zh' || stored === 'en') return stored;
  return browser.find((tag) => /^(zh|en)\b/i.test(tag))?.slice(0, 2).toLowerCase() === 'zh' ? 'zh' : 'en';
}

/// The interface's language; changing it redraws all text. Remembered in the browser.
class Interface {
  language = $state<Language>('en');

  start(): void {
    this.set(preferredLanguage(localStorage.getItem(storageName), navigator.languages), false);
  }

  set(language: Language, remember = true): void {
    this.language = language;
    if (remember) localStorage.setItem(storageName, language);
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  }

  get locale(): string {
    return this.language === 'zh' ? 'zh-CN' : 'en-GB';
  }
}

export const i18n = new Interface();

export const t = (key: Key, parameters?: Parameters): string => translate(i18n.language, key, parameters);

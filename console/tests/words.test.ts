import { describe, expect, it } from 'vitest';
import { errorCodes } from '../src/api/errors';
import { preferredLanguage, translate, type Key } from '../src/i18n/index.svelte';
import { en } from '../src/i18n/en';
import { zh } from '../src/i18n/zh';

const files = import.meta.glob<string>('../src/**/*.{svelte,ts}', { query: '?raw', import: 'default', eager: true });
const sources = Object.entries(files)
  .filter(([name]) => !/i18n\/(en|zh)/.test(name))
  .map(([name, text]) => ({ name, text }));

const parametersOf = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();

describe('words', () => {
  it('exist in both languages with the same parameters', () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
    for (const key of Object.keys(en) as Key[]) {
      expect(zh[key].trim(), key).not.toBe('');
      expect(en[key].trim(), key).not.toBe('');
      if (!key.endsWith('.one')) expect(parametersOf(zh[key]), key).toEqual(parametersOf(en[key]));
    }
  });

  it('are Chinese in Chinese', () => {
    for (const [key, text] of Object.entries(zh)) expect(text, key).toMatch(/[\u4e00-\u9fff\uff00-\uffef]/);
  });

  it('are all used', () => {
    expect(sources.length).toBeGreaterThan(30);
    const all = sources.map((source) => source.text).join('\n');
    const unused = Object.keys(en).filter((key) => {
      const plain = key.replace(/\.one$/, '');
      const stem = plain.slice(0, plain.lastIndexOf('.') + 1);
      const long = plain.endsWith('.long') && all.includes('.long`');
      return !all.includes(`'${plain}'`) && !all.includes(`\`${stem}\${`) && !long;
    });
    expect(unused).toEqual([]);
  });

  it('exist for every error the program can give', () => {
    for (const code of errorCodes) expect(en).toHaveProperty([`error.${code}`]);
  });

  it('take parameters and the form for one', () => {
    expect(translate('en', 'docs.count', { n: 1 })).toBe('1 document');
    expect(translate('en', 'docs.count', { n: 2 })).toBe('2 documents');
    expect(translate('zh', 'upload.drop', { name: '$& {name}' })).toBe('松开以加入“$& {name}”');
  });

  it('follow the stored choice, then the browser', () => {
    expect(preferredLanguage('zh', ['en'])).toBe('zh');
    expect(preferredLanguage(null, ['fr', 'zh-TW', 'en'])).toBe('zh');
    expect(preferredLanguage('xx', ['de'])).toBe('en');
  });
});

describe('sources', () => {
  it('never make HTML, links or code of text', () => {
    const forbidden = /\{@html|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|href=\{|src=\{|srcdoc/;
    for (const { name, text } of sources) expect(forbidden.exec(text)?.[0], name).toBeUndefined();
  });

  it('show no words that are not in the word lists', () => {
    for (const { name, text } of sources.filter((source) => source.name.endsWith('.svelte'))) {
      const markup = text.replace(/<script[\s\S]*?<\/script>|<style[\s\S]*?<\/style>|<!--[\s\S]*?-->/g, '');
      const chinese = /[\u4e00-\u9fff]+/.exec(markup.replace(/>衡<|>中文</g, '><'))?.[0];
      expect(chinese, name).toBeUndefined();
    }
  });
});

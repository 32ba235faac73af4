import { defaultText, type Option } from '../lib/options.ts';
import { SERVE_OPTIONS } from '../lib/settings/serve-options.ts';

const BEGIN = '<!-- options of bakeserv serve: written by npm run generate -->';
const END = '<!-- end of options -->';

/**
 * README with its table of options as lib/options.ts has them now.
 * @throws Error when the two marker comments are not there
 */
export function withOptionsTable(readme: string): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`README.md has no ${BEGIN} … ${END}`);
  return `${readme.slice(0, begin + BEGIN.length)}\n\n${table()}\n${readme.slice(end)}`;
}

function table(): string {
  return [...new Set(SERVE_OPTIONS.map((option) => option.group))].map(group).join('\n');
}

function group(name: string): string {
  const rows = SERVE_OPTIONS.filter((option) => option.group === name).map(row);
  return `**${name}**\n\n| option | default | |\n|---|---|---|\n${rows.join('\n')}\n`;
}

function row(option: Option): string {
  const { name, choices, describe } = option;
  const meaning = choices ? `${describe}: ${choices.join(', ')}` : describe;
  const byDefault = defaultText(option, (text) => `\`${text}\``);
  return `| ${[`\`--${name}\``, byDefault, meaning].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

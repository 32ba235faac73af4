import { defaultText, environmentName, type Option } from '../lib/options.ts';
import type { DocumentedCommand } from '../lib/settings/options-doc.ts';

const HEAD = String.raw`.TH BAKESERV 1 "" "bakeserv VERSION" "bakeserv"
.SH NAME
bakeserv \- serves hash equivalence and PR values to BitBake builds
.SH SYNOPSIS
.B bakeserv
\fICOMMAND\fR [\fIOPTIONS\fR]
.SH DESCRIPTION
One server for the two shared memories of BitBake / Yocto builds.
Options of \fBserve\fR may be given as flags, in the environment, and in the configuration file, the former being the stronger.
\fBbakeserv config check\fR says what is wrong with them, \fBbakeserv config print\fR where each was set.
`;

const TAIL = String.raw`.SH FILES
.TP
.I ./bakeserv.yaml, /etc/bakeserv/bakeserv.yaml
The configuration file that is read when none is named.
.TP
.I DIR/.bakeserv
Lock, control socket and log of a build folder's private server.
.SH EXIT STATUS
0 when all went well, 1 for an error, 2 for wrong usage or a wrong setting, 3 when a database can no longer be trusted.
\fBbakeserv run\fR exits with its command's status.
.SH SIGNALS
SIGTERM and SIGINT end a server when what was read has been answered and the databases are closed, within 10 s; a second one ends it at once.
.SH SEE ALSO
.BR bakeserv\-hashclient (1),
.BR bakeserv\-prclient (1)
`;

/** The man page of the server, from the tables of its commands. */
export function serverManPage(commands: readonly DocumentedCommand[], version: string): string {
  const sections = commands.map(
    ({ name, about, options }) =>
      `.SH ${roff(`bakeserv ${name}`).toUpperCase()}\n${roff(about)}\n${options.map(entry).join('')}`,
  );
  return `${HEAD.replace('VERSION', version)}${sections.join('')}${TAIL}`;
}

function entry(option: Option): string {
  const { name, alias, type, describe, default: value } = option;
  const flag = `${alias ? `-${alias}, ` : ''}--${name}${type === 'boolean' ? '' : ' VALUE'}`;
  const more = [
    option.flagOnly ? [] : [environmentName(name)],
    value === undefined || value === false ? [] : [`default: ${defaultText(option)}`],
  ].flat();
  return `.TP\n.B ${roff(flag)}\n${roff(describe)}${more.length > 0 ? ` [${roff(more.join('; '))}]` : ''}\n`;
}

/** Text that means itself: a dash that can be searched for, no control line, no escapes; markdown's quotes go. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('’', '\\(cq')
    .replaceAll('`', '')
    .replace(/^([.'])/gm, '\\&$1');
}

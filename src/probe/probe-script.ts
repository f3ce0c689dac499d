// The text of a shell program that opens TCP connections with whatever a container has, and its answers.
import { formatIpAddress } from '../base/ip-address.ts';
import type { ConcreteProbe } from './concrete-probe.ts';
import type { AttemptResult } from './connection-probe.ts';

/** What a container must have beside `sh` is one of these; they are tried in this order until one gives an answer. */
export const SCRIPT_TOOLS = ['nc', 'bash', 'python3', 'node', 'curl', 'wget'] as const;

/** Seconds to wait for an answer to one attempt. */
const WAIT_SECONDS = 2;
/** Attempts that one shell makes at the same time. */
const AT_ONCE = 20;

/** Prints `POSITION ANSWER` for each, in any order; the words are numbers and addresses, so nothing in it needs quotes. */
export function probeScript(probes: readonly ConcreteProbe[]): string {
  const lines = probes.map(({ target, port }, position) => `try ${position} ${formatIpAddress(target)} ${port} &${(position + 1) % AT_ONCE === 0 ? '\nwait' : ''}`);
  return `${FUNCTIONS}${lines.join('\n')}\nwait\n`;
}

/** By position; what is missing was not said. */
export function readScriptAnswers(text: string): ReadonlyMap<number, AttemptResult['answer']> {
  const lines = [...text.matchAll(/^([0-9]+) (connected|refused|silent|failed|unable)$/gm)];
  return new Map(lines.map(([, position, answer]) => [Number(position), answer === 'unable' ? 'skipped' : (answer as AttemptResult['answer'])]));
}

const PYTHON = `import socket,sys
try: socket.create_connection((sys.argv[1],int(sys.argv[2])),${WAIT_SECONDS}); print("connected")
except ConnectionRefusedError: print("refused")
except (socket.timeout,TimeoutError): print("silent")
except OSError as e: print("failed")`;

const NODE = `const s=require("net").connect(+process.argv[2],process.argv[1]);const e=w=>{console.log(w);process.exit()};s.on("connect",()=>e("connected"));s.on("error",x=>e(x.code==="ECONNREFUSED"?"refused":x.code==="ETIMEDOUT"?"silent":"failed"));setTimeout(()=>e("silent"),${WAIT_SECONDS}000)`;

/**
 * The messages are those of OpenBSD's, Debian's, nmap's and BusyBox's programs. A small BusyBox knows no `-z`; whoever is
 * stopped after twice the time that it waits for a connection had one. Of wget nobody learns whether it waits for a
 * connection or for what follows.
 */
const FUNCTIONS = `word() { case "$1" in *efused*) echo refused;; *"imed out"*) echo silent;; *) echo failed;; esac; }
with_nc() { if o=$(nc -v -z -w ${WAIT_SECONDS} "$1" "$2" 2>&1 </dev/null); then echo connected; return; fi; case "$o" in *nvalid?option*|*sage:*|*nrecognized*) plain_nc "$1" "$2";; *) word "$o";; esac; }
plain_nc() { o=$(timeout ${WAIT_SECONDS * 2} nc -w ${WAIT_SECONDS} "$1" "$2" 2>&1 </dev/null); case $? in 0|124|137|143) echo connected;; *) word "$o";; esac; }
with_bash() { o=$(timeout ${WAIT_SECONDS} bash -c "exec 3<>/dev/tcp/$1/$2" 2>&1); case $? in 0) echo connected;; 124|137|143) echo silent;; *) word "$o";; esac; }
with_python3() { python3 -c '${PYTHON}' "$1" "$2"; }
with_node() { node -e '${NODE}' "$1" "$2"; }
with_curl() { h=$1; case $h in *:*) h="[$h]";; esac; o=$(curl -g -sS -o /dev/null -w 'after %{time_connect}' --noproxy '*' --connect-timeout ${WAIT_SECONDS} --max-time ${WAIT_SECONDS} "http://$h:$2/" 2>&1); r=$?; case "$o" in *"after 0.000000"*|*"after 0,000000"*) case $r in 28) echo silent;; 7) echo refused;; *) echo failed;; esac;; *) echo connected;; esac; }
with_wget() { h=$1; case $h in *:*) h="[$h]";; esac; o=$(timeout ${WAIT_SECONDS} wget -O /dev/null "http://$h:$2/" 2>&1); case $? in 0|8) echo connected;; 124|137|143) echo unable;; *) case "$o" in *HTTP/*|*"server returned error"*) echo connected;; *) word "$o";; esac;; esac; }
try() { r=unable; for t in ${SCRIPT_TOOLS.join(' ')}; do command -v $t >/dev/null 2>&1 || continue; r=$(with_$t "$2" "$3"); [ "$r" = failed ] || break; done; echo "$1 $r"; }
`;

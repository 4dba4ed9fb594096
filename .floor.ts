import { openPeer } from './tests/bench/engine/peer.ts';
import { subjectOf } from './tests/bench/engine/subject.ts';
import { interleaved } from './tests/bench/engine/interleave.ts';
const peer = (await openPeer(2))!;
for (const name of process.argv[3].split(',')) for (const batch of process.argv[2].split(',').map(Number)) {
  const sub = await subjectOf(name);
  const known = await peer.open(name, batch);
  let line = `${name} ${batch}:`;
  for (const kind of ['forward', 'input', 'parameters', 'hvp', 'step']) {
    if (!known.includes(kind)) { line += ` ${kind} -`; continue; }
    try { const r: any = await interleaved(await sub.task(kind as never, batch), { of: peer, kind }, 150); line += ` ${kind} ${r.ms.toFixed(2)}/${r.peerMs.toFixed(2)}=${(r.ms / r.peerMs).toFixed(2)}`; } catch (e: any) { line += ` ${kind} ${e.message.slice(0, 40)}`; }
  }
  console.log(line);
}
process.exit(0);

// Half an hour of the flood of `agent-flows.ts`, the last five minutes by Services: whether the agent tells it whole, and does not grow.
import { soak, soakTable } from '../tests/kernel/flow-soak.ts';

process.stdout.write(soakTable(await soak({ seconds: 1800, parts: 6, partsByServices: 1 })));

/** By hand: `node test/feed/main.ts busy 7790` serves the built page over a made-up session. */
import { startFeed } from './server.ts';
import { type ScenarioName, scenarios } from './scenarios.ts';

const isScenario = (name: string): name is ScenarioName => name in scenarios;
const [name = 'busy', port = '7790'] = process.argv.slice(2);
if (!isScenario(name)) throw new Error(`no scenario ${name}; there are: ${Object.keys(scenarios).join(', ')}`);
const feed = await startFeed(name, { port: Number(port) });
setInterval(() => feed.lab.advance(), 3000);
process.stdout.write(`${name} at ${feed.url}\n`);

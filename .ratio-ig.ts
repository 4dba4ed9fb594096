import { attributionFigures } from './tests/bench/attribution.ts';
console.log(JSON.stringify(await attributionFigures(process.argv.slice(2)), null, 0).replaceAll('},', '},\n'));
process.exit(0);

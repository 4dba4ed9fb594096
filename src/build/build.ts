import { bundle } from './bundle.ts';

/** `npm run build`: the bundles of dist/. */
await bundle({ production: true });

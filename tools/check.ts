// `npm run check`: the steps of `npm test` that run nothing of the product.
import { staticSteps } from './static-steps.ts';

await staticSteps();

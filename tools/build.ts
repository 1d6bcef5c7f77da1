// `npm run build`: the console, when its sources changed.
import { buildConsole } from './console-build.ts';

await buildConsole();

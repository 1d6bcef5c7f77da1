// Preloaded into programs of others that run on Node, whose resolver does not know the names below localhost.
import dns from 'node:dns';
import { lookupWithLocalhost } from '../../src/lib/localhost.ts';

dns.lookup = lookupWithLocalhost as typeof dns.lookup;

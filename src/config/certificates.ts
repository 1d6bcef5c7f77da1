import type { Static } from 'typebox';
import { messageOf } from '../lib/errors.ts';
import { resolveSecretFile } from './file-reference.ts';
import { loadKeyPair } from './key-pair.ts';
import type { Place, Problems } from './problem.ts';
import type { RelayFileSchema } from './relay-schema.ts';
import type { YamlDocument } from './yaml-document.ts';

/** One certificate with its key, as files. */
export interface KeyPairFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** In the order of the file; the first is for clients that ask for a name that none of them has, or for none. */
export type KeyPairFilesList = readonly [KeyPairFiles, ...KeyPairFiles[]];

type Document = YamlDocument<Static<typeof RelayFileSchema>>;
type Tls = NonNullable<Document['value']['relay']['tls']>;

/** The pairs of `relay.tls`, written as one or as a list; each is tried. */
export function readCertificates(
  document: Document,
  tls: Tls,
  base: string,
  problems: Problems,
): KeyPairFilesList | undefined {
  const { certificateFile, keyFile, certificates } = tls;
  const one = certificateFile !== undefined && keyFile !== undefined ? { certificateFile, keyFile } : undefined;
  const both = certificates !== undefined && (certificateFile ?? keyFile) !== undefined;
  if (both || (!one && !certificates)) {
    problems.add(
      document.place('relay', 'tls'),
      '"relay.tls" needs "certificateFile" and "keyFile", or instead "certificates": a list of such pairs, the first for clients that name no host',
    );
    return undefined;
  }
  const read = one
    ? [readPair(one, document.place('relay', 'tls', 'certificateFile'), base, problems)]
    : (certificates ?? []).map((each, at) =>
        readPair(each, document.place('relay', 'tls', 'certificates', at, 'certificateFile'), base, problems),
      );
  const [first, ...rest] = read.flatMap((each) => each ?? []);
  return first && [first, ...rest];
}

function readPair(written: KeyPairFiles, place: Place, base: string, problems: Problems): KeyPairFiles | undefined {
  try {
    const certificateFile = resolveSecretFile(base, written.certificateFile);
    const keyFile = resolveSecretFile(base, written.keyFile);
    loadKeyPair(certificateFile, keyFile);
    return { certificateFile, keyFile };
  } catch (error) {
    problems.add(place, messageOf(error));
    return undefined;
  }
}

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { openCheckpoint, parseCheckpoint, signCheckpoint } from '../../src/proof/checkpoint.ts';
import { EMPTY_ROOT } from '../../src/proof/hash.ts';
import { encodeVerifier, type NoteSigner, openNote, parseVerifier, signNote } from '../../src/proof/note.ts';

const signer = (name: string): NoteSigner => ({ name, ...generateKeyPairSync('ed25519') });

/** The example of golang.org/x/mod/sumdb/note, which defined the format. */
const GO_VERIFIER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const GO_NOTE = `${GO_TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;

describe('signed note', () => {
  test('opens the example of the Go implementation', () => {
    const verifier = parseVerifier(GO_VERIFIER);
    assert.ok(verifier);
    assert.equal(encodeVerifier(verifier), GO_VERIFIER);
    assert.deepEqual(openNote(GO_NOTE, [verifier]), { text: GO_TEXT, signedBy: ['PeterNeumann'] });
    assert.equal(openNote(GO_NOTE.replace('answer', 'Answer'), [verifier]), undefined);
  });

  test('carries several signatures, and passes over strangers', () => {
    const [log, witness, stranger] = [signer('log.example/one'), signer('witness.example'), signer('log.example/one')];
    const note = signNote('a\nb\n', [log, witness]);
    assert.deepEqual(openNote(note, [witness])?.signedBy, ['witness.example']);
    assert.deepEqual(openNote(note, [log, witness])?.signedBy, ['log.example/one', 'witness.example']);
    assert.equal(openNote(note, [stranger]), undefined);
    assert.equal(openNote(note, []), undefined);
  });

  test('a malformed note opens for nobody', () => {
    const log = signer('log.example/one');
    const note = signNote('a\n', [log]);
    for (const bad of [
      '',
      'a\n',
      'a\n\n',
      note.slice(0, -1),
      `${note}\n`,
      `\x01${note}`,
      note.replace('— ', '- '),
      `${note}— x y\n`,
      note.replace('\n\n', '\n\n\n'),
    ]) {
      assert.equal(openNote(bad, [log]), undefined, JSON.stringify(bad));
    }
    assert.throws(() => signNote('no newline', [log]), RangeError);
    assert.throws(() => signNote('a\n', [{ ...log, name: 'a b' }]), RangeError);
    assert.equal(parseVerifier(GO_VERIFIER.replace('c74f20a3', 'c74f20a4')), undefined);
  });
});

describe('checkpoint', () => {
  test('is signed and opened, for its origin only', () => {
    const log = signer('relay.example/audit');
    const checkpoint = { origin: 'relay.example/audit/relay-1', size: 7, root: EMPTY_ROOT, extensions: ['x 1'] };
    const note = signCheckpoint(checkpoint, [log]);
    assert.deepEqual(openCheckpoint(note, checkpoint.origin, [log])?.checkpoint, checkpoint);
    assert.equal(openCheckpoint(note, 'relay.example/audit/relay-2', [log]), undefined);
    assert.equal(openCheckpoint(note.replace('\n7\n', '\n8\n'), checkpoint.origin, [log]), undefined);
  });

  test('what is not one is not parsed as one', () => {
    const root = EMPTY_ROOT.toString('base64');
    assert.ok(parseCheckpoint(`o\n1\n${root}\n`));
    for (const bad of [
      '',
      'o\n',
      `o\n01\n${root}\n`,
      `o\n-1\n${root}\n`,
      `o\n1\n${root.slice(1)}\n`,
      `o\n1\n${root}\n\n`,
      `o\n99999999999999999999\n${root}\n`,
    ]) {
      assert.equal(parseCheckpoint(bad), undefined, JSON.stringify(bad));
    }
  });
});

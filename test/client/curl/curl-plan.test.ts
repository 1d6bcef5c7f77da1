import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCurlArguments } from '../../../src/client/curl/curl-arguments.ts';
import { planCurl } from '../../../src/client/curl/curl-plan.ts';
import { parseHelp, parseVersion } from '../../../src/client/curl/curl-program.ts';
import { hasCode } from '../../../src/lib/errors.ts';

/** As curl prints it, cut to what is needed here. */
const HELP = `Usage: curl [options...] <url>
     --aws-sigv4 <provider1[:provider2[:region[:service]]]> Use AWS V4 signature authentication
 -K, --config <file>      Read config from a file
 -d, --data <data>        HTTP POST data
     --data-raw <data>    HTTP POST data, '@' allowed
 -H, --header <header/@file> Pass custom header(s) to server
 -I, --head               Show document info only
     --follow             Follow redirects per spec
     --libcurl <file>     Dump libcurl equivalent code of this command line
 -L, --location           Follow redirects
     --location-trusted   Like --location, and send auth to other hosts
     --negotiate          Use HTTP Negotiate (SPNEGO) authentication
 -n, --netrc              Must read .netrc for user name and password
 -:, --next               Make next URL use its separate set of options
 -o, --output <file>      Write to file instead of stdout
 -x, --proxy [protocol://]host[:port] Use this proxy
 -#, --progress-bar       Display transfer progress as a bar
 -S, --show-error         Show error even when -s is used
 -s, --silent             Silent mode
 -T, --upload-file <file> Transfer local FILE to destination
     --url <url>          URL to work with
 -u, --user <user:password> Server user and password
`;
const curl = { version: parseVersion('curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1'), ...parseHelp(HELP) };
const WIKI = 'https://wiki.access.example.com';
const plan = (line: string, version = curl.version) => planCurl(readCurlArguments(line.split(' '), curl), version);
const refused = (line: string, version = curl.version) =>
  assert.throws(
    () => plan(line, version),
    (error) => hasCode(error, 'request_invalid'),
    line,
  );

test('reads arguments as curl does', () => {
  assert.deepEqual(curl.version, [7, 88]);
  const line = [
    '-sSLofile',
    '-H',
    '--location-trusted',
    '--data-raw',
    '-K',
    '--no-silent',
    '-#',
    '--url',
    'a',
    'b',
    '--',
    '-c',
  ];
  assert.deepEqual(readCurlArguments(line, curl), {
    urls: ['a', 'b', '-c'],
    options: [
      { name: 'silent' },
      { name: 'show-error' },
      { name: 'location' },
      { name: 'output', value: 'file' },
      { name: 'header', value: '--location-trusted' },
      { name: 'data-raw', value: '-K' },
      { name: 'no-silent' },
      { name: 'progress-bar' },
    ],
  });
  assert.deepEqual(readCurlArguments(['--upl', 'x', '--location'], curl).options, [
    { name: 'upload-file', value: 'x' },
    { name: 'location' },
  ]);
});

test('the token goes to the one app, in Authorization, which curl keeps from other hosts', () => {
  for (const line of [
    `${WIKI}`,
    `${WIKI}/`,
    `${WIKI}?q`,
    `-sSL ${WIKI}/a/{b,c}[1-3]?d#e`,
    `-d x=https://elsewhere.example ${WIKI}/form`,
    `-o a ${WIKI}/a -o b ${WIKI}/b`,
    `-H X-Authorization:x ${WIKI}/`,
  ])
    assert.deepEqual(plan(line), { origin: WIKI, header: 'Authorization' }, line);
});

test('an Authorization of the person stays theirs', () => {
  for (const line of [
    `-u a:b ${WIKI}/`,
    `-ua:b ${WIKI}/`,
    `-n ${WIKI}/`,
    `--negotiate ${WIKI}/`,
    `-H authorization:x ${WIKI}/`,
    `-HAuthorization; ${WIKI}/`,
    `-H @headers ${WIKI}/`,
    `--aws-sigv4 aws:amz ${WIKI}/`,
    `-L --no-location -u a:b ${WIKI}/`,
  ])
    assert.deepEqual(plan(line), { origin: WIKI, header: 'Postern-Token' }, line);
});

test('whatever could take the token elsewhere is refused', () => {
  for (const line of [
    '-s',
    'wiki.access.example.com/',
    `HTTPS://wiki.access.example.com/`,
    'https://Wiki.access.example.com/',
    'https://wiki.access.example.com:443/',
    `${WIKI}@evil.example/`,
    `${WIKI}:x@evil.example/`,
    `${WIKI}\\@evil.example/`,
    `${WIKI}{,.evil.example}/`,
    `https://{wiki,evil}.example/`,
    `${WIKI}%2eevil.example/`,
    'file:///etc/passwd',
    `${WIKI}/ https://evil.example/`,
    `${WIKI}/ --url https://mail.access.example.com/`,
    `-K- ${WIKI}/`,
    `--conf x ${WIKI}/`,
    `${WIKI}/ --next ${WIKI}/`,
    `${WIKI}/ -: ${WIKI}/`,
    `--libcurl x ${WIKI}/`,
    `--location-trusted ${WIKI}/`,
    `-Lu a:b ${WIKI}/`,
    `-L -H @headers ${WIKI}/`,
    `--follow -u a:b ${WIKI}/`,
    `--unheard-of ${WIKI}/`,
    `-Z ${WIKI}/`,
    `--lo ${WIKI}/`,
    `-o`,
  ])
    refused(line);
  refused(`-L ${WIKI}/`, [7, 82]);
  refused(`--follow ${WIKI}/`, [7, 82]);
  assert.equal(plan(`-L ${WIKI}/`, [8, 0]).origin, WIKI);
});

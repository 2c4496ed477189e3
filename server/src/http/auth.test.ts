import { describe, expect, it } from 'vitest';
import { type Access, bearerToken, denyRequest, denyToken, isLoopback, makeToken } from './auth.ts';

const loopback: Access = { host: '127.0.0.1', allowedHosts: [], token: undefined };
const open: Access = { host: '0.0.0.0', allowedHosts: ['trace.example', 'proxy.example:8443'], token: 'secret' };

function statusOf(access: Access, headers: Record<string, string>, method = 'GET', isApi = true): number {
  return denyRequest({ method, headers, port: 7766, isApi }, access)?.status ?? 200;
}

describe('the Host header', () => {
  it.each([
    ['127.0.0.1:7766', 200],
    ['localhost:7766', 200],
    ['LOCALHOST:7766', 200],
    ['[::1]:7766', 200],
    ['127.0.0.1', 421],
    ['localhost:7767', 421],
    ['localhost.evil.example:7766', 421],
    ['evil.example:7766', 421],
    ['evil.example', 421],
    ['192.168.1.5:7766', 421],
    ['127.0.0.1:7766@evil.example', 421],
    ['127.0.0.1:7766:7766', 421],
    ['::1:7766', 421],
    ['', 421],
  ])('%s is answered with %d on loopback', (host, status) => {
    expect(statusOf(loopback, { host })).toBe(status);
  });

  it('must be there', () => {
    expect(statusOf(loopback, {})).toBe(421);
  });

  it.each([
    ['192.168.1.5:7766', 200],
    ['[fe80::1]:7766', 200],
    ['localhost:7766', 200],
    ['trace.example:7766', 200],
    ['trace.example', 200],
    ['trace.example:1', 200],
    ['proxy.example:8443', 200],
    ['proxy.example:7766', 421],
    ['sub.trace.example:7766', 421],
    ['192.168.1.5:80', 421],
  ])('%s is answered with %d where all addresses and two names are open', (host, status) => {
    expect(statusOf(open, { host })).toBe(status);
  });

  it('may leave port 80 out', () => {
    const asked = { method: 'GET', headers: { host: 'localhost' }, port: 80, isApi: true };
    expect(denyRequest(asked, loopback)).toBeUndefined();
  });

  it('is named in the refusal, with the cure', () => {
    const asked = { method: 'GET', headers: { host: 'evil.example' }, port: 7766, isApi: true };
    expect(denyRequest(asked, loopback)?.problem).toEqual({
      error: 'wrong-host',
      message: 'This server does not answer to the host "evil.example", only to its own address (127.0.0.1:7766).',
      remedy: 'Open http://127.0.0.1:7766/. If the name is meant to lead here, start faultline with --allow-host NAME.',
    });
  });
});

describe('the origin', () => {
  const host = 'localhost:7766';
  it.each([
    ['http://localhost:7766', 200],
    ['https://localhost:7766', 200],
    ['http://LOCALHOST:7766', 200],
    ['http://127.0.0.1:7766', 403],
    ['http://localhost:3000', 403],
    ['http://localhost', 403],
    ['http://evil.example', 403],
    ['http://localhost:7766.evil.example', 403],
    ['http://evil.example/localhost:7766', 403],
    ['file://localhost:7766', 403],
    ['null', 403],
    ['', 403],
  ])('%s is answered with %d', (origin, status) => {
    expect(statusOf(loopback, { host, origin })).toBe(status);
    expect(statusOf(loopback, { host, origin }, 'GET', false)).toBe(status);
  });

  it.each([
    ['same-origin', 200, 200],
    ['none', 200, 200],
    ['same-site', 403, 200],
    ['cross-site', 403, 200],
    ['anything', 403, 200],
  ])('of site %s is answered with %d for data, %d for the page', (site, data, page) => {
    const headers = { host, 'sec-fetch-site': site };
    expect([statusOf(loopback, headers), statusOf(loopback, headers, 'GET', false)]).toEqual([data, page]);
  });
});

describe('the content type', () => {
  const host = 'localhost:7766';
  it.each([
    ['POST', 'application/json', 200],
    ['POST', 'Application/JSON; charset=utf-8', 200],
    ['POST', 'text/plain', 415],
    ['POST', 'application/x-www-form-urlencoded', 415],
    ['POST', 'application/jsonp', 415],
    ['DELETE', 'multipart/form-data', 415],
    ['GET', 'text/plain', 200],
  ])('of a %s being %s is answered with %d', (method, type, status) => {
    expect(statusOf(loopback, { host, 'content-type': type }, method)).toBe(status);
  });

  it('must be there for whatever changes something', () => {
    expect(statusOf(loopback, { host }, 'POST')).toBe(415);
  });
});

describe('the token', () => {
  it.each([
    ['secret', undefined],
    ['Secret', 401],
    ['secret2', 401],
    ['', 401],
    [undefined, 401],
  ])('%s gives %s', (token, status) => {
    expect(denyToken(token, open)?.status).toBe(status);
  });

  it('is not asked for where there is none', () => {
    expect(denyToken(undefined, loopback)).toBeUndefined();
  });

  it.each([
    ['Bearer secret', 'secret'],
    ['bearer   secret  ', 'secret'],
    ['Basic secret', undefined],
    ['Bearer', undefined],
    ['Bearer a b', undefined],
    [undefined, undefined],
  ])('of the header %s is %s', (header, token) => {
    expect(bearerToken(header)).toBe(token);
  });

  it('is made anew each time, from 24 random bytes', () => {
    expect(makeToken()).not.toBe(makeToken());
    expect(Buffer.from(makeToken(), 'base64url').byteLength).toBe(24);
  });
});

describe('a loopback address', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.1.2.3', true],
    ['::1', true],
    ['[::1]', true],
    ['localhost', true],
    ['0.0.0.0', false],
    ['::', false],
    ['192.168.1.5', false],
    ['127.evil.example', false],
    ['localhost.evil.example', false],
  ])('%s: %s', (host, is) => {
    expect(isLoopback(host)).toBe(is);
  });
});

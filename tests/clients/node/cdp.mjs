// Every method of the Pipelines client; what its emitter tells of calls that fail.
import { given, load, site, step } from './steps.mjs';

const { Analytics } = load('@customerio/cdp-analytics-node');

const started = new Date(given.start * 1000 - 3600_000);

function analytics(options = {}) {
  const made = new Analytics({ writeKey: given.write_key, host: site, ...options });
  const errors = [];
  const requests = [];
  const taken = [];
  made.on('error', ({ code, reason }) => errors.push({ code, message: reason.message }));
  made.on('http_request', ({ url, body }) => requests.push({ url, size: JSON.parse(body).batch.length }));
  for (const type of ['identify', 'track', 'page', 'screen', 'group', 'alias']) made.on(type, () => taken.push(type));
  return { made, outcome: () => ({ errors, requests, taken }) };
}

async function using(options, act) {
  const { made, outcome } = analytics(options);
  await act(made);
  await made.closeAndFlush();
  return outcome();
}

function everything(made) {
  const traits = { email: 'ann@example.com', firstName: 'Žofie', born: '2019-02-01', plan: { seats: 2 } };
  const group = { name: 'Acme', relationshipAttributes: { role: 'owner' } };
  const token = { device: { token: 'token-1', type: 'ios' } };
  made.identify({ userId: 'ann', traits });
  made.identify({ userId: 'old', traits: { city: 'Rome' } });
  made.track({ userId: 'ann', event: 'order', properties: { total: 23.5 }, timestamp: started });
  made.page({ userId: 'ann', category: 'shop', name: 'Hats', properties: { url: 'https://example.com/hats' } });
  made.screen({ userId: 'ann', name: 'Cart', properties: { items: 2 } });
  made.group({ userId: 'ann', groupId: 'acme', traits: group });
  made.alias({ userId: 'ann', previousId: 'old' });
  made.track({ anonymousId: 'anon-1', event: 'looked' });
  made.identify({ userId: 'ann', anonymousId: 'anon-1' });
  made.track({ userId: 'ann', event: 'once', messageId: 'm-1' });
  made.track({ userId: 'ann', event: 'once', messageId: 'm-1' });
  made.track({ userId: 'ann', event: 'elsewhere', integrations: { All: false } });
  made.track({ userId: 'ann', event: 'Device Created or Updated', context: token });
}

// As somebody who asks for strictness in a header, which the client leaves to the global fetch.
const plain = globalThis.fetch;
async function strict(act) {
  globalThis.fetch = (url, init) => plain(url, { ...init, headers: { ...init.headers, 'X-Strict-Mode': '1' } });
  try {
    return await act();
  } finally {
    globalThis.fetch = plain;
  }
}

const strange = (made) => made.track({ userId: '7', event: 'strange' });
const nameless = (made) => made.track({ userId: '7', event: ' ' });
const nowhere = { host: `https://${given.host}:${given.closed_port}`, maxRetries: 0 };

await step('everything', () => using({ maxEventsInBatch: 50 }, everything));
await step('in small batches', () =>
  using({ maxEventsInBatch: 2 }, (made) => {
    for (let number = 0; number < 5; number += 1) made.track({ userId: 'ben', event: 'counted', properties: { number } });
  }),
);
await step('another path', () => using({ path: '/v1/b' }, (made) => made.identify({ userId: 'cy', traits: { plan: 'pro' } })));
await step('wrong key', () => using({ writeKey: 'wrong' }, strange));
await step('strict, wrong key', () => strict(() => using({ writeKey: 'wrong', maxRetries: 1 }, strange)));
await step('nameless', () => using({}, nameless));
await step('strict, nameless', () => strict(() => using({}, nameless)));
await step('nobody listens', () => using(nowhere, strange));
await step('without an id', () => using({}, (made) => made.track({ event: 'strange' })));
await step('after the end', async () => {
  const { made } = analytics();
  const late = [];
  made.on('call_after_close', (event) => late.push(event.event));
  await made.closeAndFlush();
  strange(made);
  return late;
});

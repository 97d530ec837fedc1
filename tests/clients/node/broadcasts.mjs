// Every way in which the App client triggers a broadcast, of the version that `given.client` names.
import { given, load, settle, site, step } from './steps.mjs';

const { APIClient } = load(given.client);
const app = new APIClient(given.app_key, { url: `${site}/v1`, port: given.port });
const data = { headline: 'H', voucher_code: 'V' };

await step('own recipients', () => app.triggerBroadcast(given.broadcasts.own, data, {}));
await step('filter', () =>
  app.triggerBroadcast(given.broadcasts.filter, data, { attribute: { field: 'team', operator: 'eq', value: 'juve' } }),
);
await step('ids', () => app.triggerBroadcast(given.broadcasts.ids, data, { ids: ['1', 'nobody'], id_ignore_missing: true }));
await step('emails', () => app.triggerBroadcast(given.broadcasts.emails, data, { emails: ['p2@example.com'] }));
await step('per user', () =>
  app.triggerBroadcast(given.broadcasts.each, data, { per_user_data: [{ id: '3', data: { voucher_code: 'own' } }] }),
);
await step('file', () =>
  app.triggerBroadcast(given.broadcasts.file, data, { data_file_url: 'https://files.example.com/people.json' }),
);
await settle();

await step('unknown', () => app.triggerBroadcast(9999, data, {}));
await step('missing', () => app.triggerBroadcast(given.broadcasts.refused, data, { ids: ['1', 'nobody'] }));
await step('no filter', () => app.triggerBroadcast(given.broadcasts.refused, data, { segment: { id: 9999 } }));
await step('wrong key', () =>
  new APIClient('wrong', { url: `${site}/v1`, port: given.port }).triggerBroadcast(given.broadcasts.own, data, {}),
);
await step('too soon', () =>
  new APIClient(given.app_key, { url: `${site}/v1`, port: given.port, retry: { maxRetries: 0 } }).triggerBroadcast(
    given.broadcasts.own,
    data,
    {},
  ),
);

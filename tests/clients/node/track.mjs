// Every method of the Track client, once or more; then what the App client reads of it.
import { rootCertificates } from 'node:tls';

import { given, load, settle, site, step } from './steps.mjs';

const { APIClient, IdentifierType, TrackClient } = load('customerio-node');

const place = { url: `${site}/api/v1`, port: given.port };
const track = new TrackClient(given.site_id, given.api_key, place);
const { Id, Email } = IdentifierType;
const order = { name: 'order', data: { total: 23.5, items: ['klobouk 🎩'] }, timestamp: given.start - 3600 };

await step('identify', () => track.identify('ann', { email: 'ann@example.com', first_name: 'Žofie', plan: { seats: 2 } }));
await step('identify again', () => track.identify('ann', { score: 5, gone: 1 }));
await step('identify without a value', () => track.identify('ann', { gone: null }));
await step('identify odd', () => track.identify('a/b+c d?x=1#ü%2F', { odd: true }));
await step('identify by number', () => track.identify(7, {}));
await step('identify nothing', () => track.identify('empty'));

await step('track', () => track.track('ann', { ...order, id: '01BX5ZZKBKACTAV9WEVGEMMVRY' }));
await step('track again', () => track.track('ann', { ...order, id: '01BX5ZZKBKACTAV9WEVGEMMVRY' }));
await step('trackPageView', () => track.trackPageView('ann', 'https://example.com/a?b=c'));
await step('trackAnonymous', () => track.trackAnonymous('anon-1', { name: 'looked', data: { at: 'hat' } }));
await step('bind', () => track.identify('bound', { anonymous_id: 'anon-1' }));
await step('trackAnonymous nobody', () => track.trackAnonymous('', { name: 'passed' }));
await step('trackPush', () =>
  track.trackPush({ delivery_id: given.delivery_id, event: 'opened', device_id: 'token', timestamp: given.start }),
);
await step('trackPush unknown', () =>
  track.trackPush({ delivery_id: 'x'.repeat(24), event: 'opened', device_id: 'token', timestamp: given.start }),
);

await step('identify one to destroy', () => track.identify('gone', { plan: 'pro' }));
await step('destroy', () => track.destroy('gone'));
await step('destroy nobody', () => track.destroy('nobody'));

await step('identify one to suppress', () => track.identify('shy', { email: 'shy@example.com' }));
await step('suppress', () => track.suppress('shy'));
await step('identify the suppressed', () => track.identify('shy', { plan: 'pro' }));
await step('identify the suppressed by email', () => track.identify('shy@example.com', { plan: 'pro' }));

await step('identify one to come back', () => track.identify('back', { plan: 'free' }));
await step('suppress for a while', () => track.suppress('back'));
await step('unsuppress', () => track.unsuppress('back'));
await step('identify the one who is back', () => track.identify('back', { city: 'Rome' }));

await step('identify the one to keep', () => track.identify('keep', { plan: 'pro' }));
await step('identify the one to merge', () => track.identify('drop', { email: 'drop@example.com', plan: 'free', city: 'X' }));
await step('mergeCustomers', () => track.mergeCustomers(Id, 'keep', Email, 'drop@example.com'));

await step('addDevice', () => track.addDevice('ann', 'token/1', 'ios', { last_used: given.start - 60, app_version: '1.2' }));
await step('addDevice bare', () => track.addDevice('ann', 'token-2', 'android'));
await step('addDevice to take away', () => track.addDevice('ann', 'token-3', 'android'));
await step('deleteDevice', () => track.deleteDevice('ann', 'token-3'));
await step('deleteDevice unknown', () => track.deleteDevice('ann', 'token-9'));

const stranger = new TrackClient(given.site_id, 'wrong', place);
const nowhere = new TrackClient(given.site_id, given.api_key, { ...place, port: given.closed_port });
const distrustful = new TrackClient(given.site_id, given.api_key, { ...place, ca: rootCertificates[0] });
await step('wrong key', () => stranger.identify('wrong', {}));
await step('name too long', () => track.track('ann', { name: 'n'.repeat(101) }));
await step('two errors', () => track.identify('ann', { ['n'.repeat(151)]: 1, long: 'x'.repeat(1001) }));
await step('no device', () => track.addDevice('ann', 't', 'amiga'));
await step('merge with nobody named', () => track.mergeCustomers(Id, 'i'.repeat(151), Id, 'b'));
await step('nobody listens', () => nowhere.identify('nowhere', {}));
await step('not trusted', () => distrustful.identify('distrust', {}));
await step('without an id', () => track.identify(' ', {}));

await settle();
const app = new APIClient(given.app_key, { url: `${site}/v1`, port: given.port });
await step('getCustomersByEmail', () => app.getCustomersByEmail('ANN@example.com'));
await step('getCustomersByEmail nobody', () => app.getCustomersByEmail('a+b@example.com'));
await step('getAttributes', () => app.getAttributes('ann'));
await step('getAttributes by email', () => app.getAttributes('ann@example.com', Email));
await step('getAttributes nobody', () => app.getAttributes('nobody'));
await step('app wrong key', () => new APIClient('wrong', { url: `${site}/v1`, port: given.port }).getAttributes('ann'));

await step('createCustomersExport', () =>
  app.createCustomersExport({ attribute: { field: 'email', operator: 'eq', value: 'ann@example.com' } }),
);
await settle();
await step('listExports', () => app.listExports());
await step('getExport', async () => app.getExport((await app.listExports()).exports[0].id));
await step('downloadExport', async () => app.downloadExport((await app.listExports()).exports[0].id));
await step('createDeliveriesExport of no newsletter', () => app.createDeliveriesExport(999));

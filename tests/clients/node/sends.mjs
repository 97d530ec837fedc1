// Every way in which the App client sends, of the version that `given.client` names; then what it reads of it.
import { given, load, settle, site, step } from './steps.mjs';

const {
  APIClient,
  IdentifierType,
  SendEmailRequest,
  SendInAppRequest,
  SendInboxMessageRequest,
  SendPushRequest,
  SendSMSRequest,
  SendWhatsAppRequest,
} = load(given.client);
const place = { url: `${site}/v1`, port: given.port };
const app = new APIClient(given.app_key, place);
const fronted = { url: `https://${given.host}:${given.front_port}/v1`, port: given.front_port };

const identifiers = { id: 'ann' };
const to = 'Ann <ann@example.com>';
const message_data = { number: 17, items: [{ name: 'klobouk 🎩' }], code: '4711' };
const receipt = { to, identifiers, transactional_message_id: given.templates.receipt, message_data };
const inline = { to, identifiers, from: '"Team" <team@example.com>', subject: 'Hello', body: '<p>{{ trigger.code }}</p>' };
const send = (options) => app.sendEmail(new SendEmailRequest(options));

await step('by number', () => send(receipt));
await step('by number as text', () => send({ ...receipt, transactional_message_id: String(given.templates.receipt) }));
await step('by name', () => send({ ...receipt, transactional_message_id: 'order_receipt' }));
await step('inline', () => {
  const request = new SendEmailRequest({
    ...inline,
    message_data,
    headers: { 'X-Order': '17' },
    reply_to: 'desk@example.com',
    preheader: 'In short',
    body_plain: 'Plainly: {{ trigger.code }}',
    tracked: false,
    disable_css_preprocessing: true,
  });
  request.attach('order.txt', 'one hat');
  request.attach('hat.png', Buffer.from([137, 80, 78, 71]));
  request.attach('done.txt', Buffer.from('as it is').toString('base64'), { encode: false });
  return app.sendEmail(request);
});
await step('somebody new', () => send({ ...inline, message_data, to: 'New@Example.com', identifiers: { email: 'new@example.com' } }));
await step('later', () => send({ ...inline, message_data, send_at: given.start + 3600 }));
await step('draft', () => send({ ...receipt, queue_draft: true }));
await step('not kept', () => send({ ...receipt, disable_message_retention: true, send_to_unsubscribed: true }));

const code = (channel) => ({ identifiers, message_data, transactional_message_id: String(given.templates[channel]) });
const device = { token: 'token-1', platform: 'ios', last_used: given.start - 60, attributes: { os: '26' } };
await step('push', () => app.sendPush(new SendPushRequest({ ...code('push'), device, to: 'token-1', custom_data: { a: '1' } })));
await step('push without a template', () => app.sendPush(new SendPushRequest({ identifiers, title: 'Hats', message: '4711' })));
await step('sms', () => app.sendSMS(new SendSMSRequest({ ...code('sms'), to: '+420777123456' })));
await step('in_app', () => app.sendInApp(new SendInAppRequest(code('in_app'))));
await step('inbox', () => app.sendInboxMessage(new SendInboxMessageRequest(code('inbox'))));
if (SendWhatsAppRequest) {
  await step('whatsapp', () => app.sendWhatsApp(new SendWhatsAppRequest({ ...code('whatsapp'), to: '+420777123456' })));
}
await settle();

const stranger = new APIClient('wrong', place);
const large = (file) => {
  const request = new SendEmailRequest(inline);
  request.attach(file, Buffer.alloc(file.endsWith('.exe') ? 3 : 2_200_000));
  return app.sendEmail(request);
};
await step('unknown template', () => send({ ...receipt, transactional_message_id: 'nothing' }));
await step('no sender', () => send({ ...inline, from: undefined }));
await step('no address', () => send({ ...inline, to: 'nowhere' }));
await step('nobody', () => send({ ...inline, identifiers: undefined }));
await step('reserved header', () => send({ ...inline, headers: { Subject: 'x' } }));
await step('forbidden file', () => large('a.exe'));
await step('large file', () => large('a.txt'));
await step('sms without a template', () => app.sendSMS(new SendSMSRequest({ identifiers })));
await step('template of another channel', () => app.sendInApp(new SendInAppRequest(code('push'))));
await step('too far ahead', () => send({ ...inline, send_at: given.start + 91 * 86_400 }));
await step('wrong key', () => stranger.sendEmail(new SendEmailRequest(inline)));
await step('no request', () => app.sendEmail(inline));

// Behind a front that answers 429 and 503 before it passes calls on; see what the tests expect of each version.
for (const name of given.fronted) {
  await step(name, () => new APIClient(given.app_key, fronted).sendEmail(new SendEmailRequest({ ...receipt, to: `${name}@example.com` })));
}
await step('keyed', () => {
  const keyed = new APIClient(given.app_key, { ...fronted, headers: { 'Idempotency-Key': 'order-17' } });
  return keyed.sendEmail(new SendEmailRequest({ ...receipt, to: 'keyed@example.com' }));
});
await settle();

await step('getCustomersByEmail', () => app.getCustomersByEmail('NEW@example.com'));
await step('getCustomersByEmail nobody', () => app.getCustomersByEmail('a+b@example.com'));
await step('getAttributes', () => app.getAttributes('ann', IdentifierType.Id));
await step('getAttributes by email', () => app.getAttributes('new@example.com', IdentifierType.Email));
await step('listExports', () => app.listExports());
await step('createCustomersExport', () => app.createCustomersExport({ attribute: { field: 'email', operator: 'exists' } }));
await settle();
await step('getExport', async () => app.getExport((await app.listExports()).exports[0].id));
await step('downloadExport', async () => app.downloadExport((await app.listExports()).exports[0].id));
await step('getAttributes nobody', () => app.getAttributes('nobody'));
if (app.getCustomerMessages) {
  await step('getCustomerMessages', () => app.getCustomerMessages('ann', { limit: 100 }));
}

// What the App client of version 5 reads and writes of transactional messages, broadcasts, messages, snippets and senders.
import { given, load, settle, site, step } from './steps.mjs';

const { APIClient, SendEmailRequest } = load('customerio-node-5');
const app = new APIClient(given.app_key, { url: `${site}/v1` });
const { receipt, broadcast } = given;

const request = { to: 'ann@example.com', identifiers: { id: 'ann' }, transactional_message_id: receipt };
const sent = await app.sendEmail(new SendEmailRequest({ ...request, message_data: { number: 17, items: [{ name: 'hat' }] } }));
await app.triggerBroadcast(broadcast, { headline: 'H' }, { ids: ['ann'] });
await settle();
await step('sent', () => sent);

await step('listTransactionalMessages', () => app.listTransactionalMessages());
await step('getTransactionalMessage', () => app.getTransactionalMessage(receipt));
await step('getTransactionalMessageContents', () => app.getTransactionalMessageContents(receipt));
await step('getTransactionalMessageDeliveries', () => app.getTransactionalMessageDeliveries(receipt, { limit: 5, metric: 'sent' }));
await step('getTransactionalMessageMetrics', () => app.getTransactionalMessageMetrics(receipt, { period: 'days', steps: 1 }));
await step('getTransactionalMessageLinkMetrics', () => app.getTransactionalMessageLinkMetrics(receipt, { period: 'days', steps: 2 }));
await step('updateTransactionalMessageContent', async () => {
  const { contents } = await app.getTransactionalMessageContents(receipt);
  return app.updateTransactionalMessageContent(receipt, contents[0].id, { subject: 'Order {{ trigger.number }} again' });
});
await step('getTransactionalMessageLanguage', () => app.getTransactionalMessageLanguage(receipt, 'cs'));
await step('updateTransactionalMessageLanguage', () => app.updateTransactionalMessageLanguage(receipt, 'cs', { subject: 'Objednávka' }));
await step('getTransactionalMessage nothing', () => app.getTransactionalMessage(9999));

await step('listBroadcasts', () => app.listBroadcasts());
await step('getBroadcast', () => app.getBroadcast(broadcast));
await step('getBroadcastActions', () => app.getBroadcastActions(broadcast));
const action = (await app.getBroadcastActions(broadcast)).actions[0].id;
await step('getBroadcastAction', () => app.getBroadcastAction(broadcast, action));
await step('updateBroadcastAction', () => app.updateBroadcastAction(broadcast, action, { subject: '{{ trigger.headline }}!' }));
await step('getBroadcastActionLanguage', () => app.getBroadcastActionLanguage(broadcast, action, 'cs'));
await step('updateBroadcastActionLanguage', () => app.updateBroadcastActionLanguage(broadcast, action, 'cs', { subject: 'Zpráva' }));
await step('getBroadcastActionMetrics', () => app.getBroadcastActionMetrics(broadcast, action, { period: 'hours', steps: 3 }));
await step('getBroadcastActionMetricsLinks', () => app.getBroadcastActionMetricsLinks(broadcast, action, { period: 'days', steps: 3 }));
await step('getBroadcastMetrics', () => app.getBroadcastMetrics(broadcast, { period: 'days', steps: 2 }));
await step('getBroadcastMetricsLinks', () => app.getBroadcastMetricsLinks(broadcast, { period: 'days', steps: 2, unique: true }));
await step('getBroadcastMessages', () => app.getBroadcastMessages(broadcast, { limit: 5 }));
await step('getBroadcastTriggers', () => app.getBroadcastTriggers(broadcast));
await step('getBroadcastTriggerStatus', () => app.getBroadcastTriggerStatus(broadcast, 1));
await step('getBroadcastTriggerErrors', () => app.getBroadcastTriggerErrors(broadcast, 1, { limit: 5 }));
await step('getBroadcast nothing', () => app.getBroadcast(9999));

await step('getMessages', () => app.getMessages({ campaign_id: broadcast, limit: 5 }));
await step('getMessage', () => app.getMessage(sent.delivery_id));
await step('getArchivedMessage', () => app.getArchivedMessage(sent.delivery_id));

await step('createSnippet', () => app.createSnippet({ name: 'hours', value: '9-17' }));
await step('updateSnippet', () => app.updateSnippet({ name: 'hours', value: '10-18' }));
await step('getSnippets', () => app.getSnippets());
await step('deleteSnippet', () => app.deleteSnippet('hours'));
await step('getSenderIdentities', () => app.getSenderIdentities());
await step('getSenderIdentity', async () => app.getSenderIdentity((await app.getSenderIdentities()).sender_identities[0].id));
await step('getSenderIdentityUsedBy', async () => app.getSenderIdentityUsedBy((await app.getSenderIdentities()).sender_identities[0].id));

await step('createSuppression', () => app.createSuppression('bounces', 'gone@example.com'));
await step('searchSuppression', () => app.searchSuppression('gone@example.com'));
await step('getSuppressions', () => app.getSuppressions('bounces'));
await step('getDomainSuppressions', () => app.getDomainSuppressions('example.com', 'bounces'));
await step('deleteSuppression', () => app.deleteSuppression('bounces', 'gone@example.com'));

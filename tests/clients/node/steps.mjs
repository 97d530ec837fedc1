// What a driver is told on standard input, and how it tells of each step on standard output.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

export const given = JSON.parse(readFileSync(0, 'utf8'));
export const load = createRequire(`${given.packages}/package.json`);
export const site = `https://${given.host}:${given.port}`;

const told = (error) => ({
  name: error.name,
  message: error.message,
  ...(error.code === undefined ? {} : { code: error.code }),
  ...(error.statusCode === undefined ? {} : { status: error.statusCode, body: error.body }),
});

export const tell = (step, outcome) => console.log(JSON.stringify({ step, ...outcome }));

export async function step(name, act) {
  try {
    tell(name, { answer: (await act()) ?? null });
  } catch (error) {
    tell(name, { error: told(error) });
  }
}

export async function settle() {
  const answer = await fetch(`${site}/v1/clock/settle`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${given.app_key}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ timeout_seconds: 30 }),
  });
  if (!answer.ok) throw new Error(`not settled: ${answer.status} ${await answer.text()}`);
}

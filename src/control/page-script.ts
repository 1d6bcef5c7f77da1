/** The only script of server-rendered pages: sends `<form data-json>` as JSON, which other sites cannot forge. `data-fragment="name"` adds a field from the address's fragment. */
export const PAGE_SCRIPT = `
document.addEventListener('submit', async (event) => {
  const form = event.target;
  if (!form.hasAttribute('data-json')) return;
  event.preventDefault();
  const buttons = form.querySelectorAll('button');
  const say = (text) => {
    const line = form.querySelector('[role=alert]') ?? form.appendChild(document.createElement('p'));
    line.setAttribute('role', 'alert');
    line.textContent = text;
  };
  // Read first: a disabled button would not be among the fields.
  const fields = Object.fromEntries(new FormData(form, event.submitter));
  const { fragment } = form.dataset;
  if (fragment) fields[fragment] = new URLSearchParams(location.hash.slice(1)).get(fragment) ?? '';
  for (const button of buttons) button.disabled = true;
  try {
    const answer = await fetch(form.action, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(fields),
    });
    const body = await answer.json();
    if (answer.ok) {
      location.assign(body.location);
      return;
    }
    say(body.detail);
  } catch {
    say('The relay did not answer. Try again.');
  }
  for (const button of buttons) button.disabled = false;
});
`;

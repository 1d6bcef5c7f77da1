import type { WaitingDevice } from '../../identity/device-codes.ts';
import { html } from '../../lib/page/html.ts';
import type { Page } from '../page.ts';

/** Where the person types the code that the other machine shows. `problem`: with the one before. */
export function codePage(problem?: string): Page {
  return {
    title: 'Sign in a command line',
    body: html`${problem === undefined ? undefined : html`<p role="alert">${problem}</p>`}
<p>Type the code that <code>postern login --device</code> shows on the other machine.</p>
<form action="/cli/device" method="get">
<p><label>Code <input name="code" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="20" required autofocus></label></p>
<p><button>Continue</button></p>
</form>`,
  };
}

/** Everything that tells the person's own machine from one that somebody else wants them to let in. `here`: the browser's address. */
export function confirmPage(device: WaitingDevice, person: string, here: string): Page {
  const { userCode, machine, address, waitingMs } = device;
  const where = address === here ? 'the same as yours here' : 'not yours here';
  return {
    title: 'Let a command line act as you?',
    body: html`<p>The <code>postern</code> command on <strong>${machine}</strong> asks to act as
<strong>${person}</strong> until this session ends.</p>
<ul>
<li>It shows the code <strong>${userCode}</strong>.</li>
<li>It asks from the address <strong>${address}</strong>, ${where}.</li>
<li>It has asked ${ago(waitingMs)}.</li>
</ul>
<p>Agree only if you have just started it yourself and it shows this code. Nobody else has a reason to send you a code.</p>
<form data-json action="/cli/device/answer" method="post">
<input type="hidden" name="code" value="${userCode}">
<p><button name="answer" value="allow">Let it act as me</button>
<button name="answer" value="refuse" class="quiet">Refuse</button></p>
</form>`,
  };
}

export function answeredPage(answer: 'allow' | 'refuse'): Page {
  return answer === 'allow'
    ? {
        title: 'The command line is signed in',
        body: html`<p>Go back to it; it goes on within some seconds. Signing out here signs it out as well.</p>`,
      }
    : {
        title: 'Refused',
        body: html`<p>The command line was told so. If you had not started it, tell whoever runs this relay.</p>`,
      };
}

function ago(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return 'less than a minute ago';
  return minutes === 1 ? 'a minute ago' : `${minutes} minutes ago`;
}

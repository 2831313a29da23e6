import { element } from './dom';

const name_pattern = /^[\w.-]{1,64}(\/[\w.-]{1,64}){1,2}$/;

/** "demo" means "live/demo"; a pasted watch address or playlist address is understood too. */
function stream_of(text: string): string {
  const path = text.trim().replace(/^\w+:\/\/[^/]+/, '').replace(/[?#].*$/, '');
  const name = path.replace(/^\/+|\/+$/g, '').replace(/^(watch|embed)\//, '').replace(/\/(index|master)\.m3u8$|\.m3u8$/, '');
  return name.includes('/') ? name : `live/${name}`;
}

const field = element<HTMLInputElement>('stream');
element<HTMLFormElement>('go').addEventListener('submit', (event) => {
  event.preventDefault();
  const stream = stream_of(field.value);
  const is_name = name_pattern.test(stream) && !stream.split('/').some((part) => part.startsWith('.'));
  element('mistake').hidden = is_name;
  field.setAttribute('aria-invalid', String(!is_name));
  if (is_name) location.assign(`/watch/${stream}`);
  else field.focus();
});

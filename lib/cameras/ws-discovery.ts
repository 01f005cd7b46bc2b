/**
 * The messages of WS-Discovery (OASIS, version 2005/04) by which ONVIF cameras are found (ONVIF Core,
 * section 7.3). Answers come from anybody on the network: each length and count is bounded. Pure.
 */

import { withoutControlCharacters } from './printable-text.ts';

export type FoundCamera = Readonly<{
  /** Endpoint address, a URN: the same for all answers of one camera. */
  id: string;
  /** Empty where the camera does not say. */
  name: string;
  hardware: string;
  /** Addresses of its ONVIF service. */
  addresses: readonly string[];
}>;

const MAX_MESSAGE_BYTES = 65_536;
/** A proxy may answer for others. */
const MAX_MATCHES = 64;
const MAX_TAGS = 2000;
const MAX_NAME = 80;
const MAX_ID = 200;
const MAX_ADDRESS = 300;
const MAX_ADDRESSES = 8;
const MAX_SCOPES = 100;

/** Asks for video transmitters. `messageId`: a UUID. */
export const probeMessage = (messageId: string): string =>
  '<?xml version="1.0" encoding="UTF-8"?>' +
  '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"' +
  ' xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing"' +
  ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"' +
  ' xmlns:dn="http://www.onvif.org/ver10/network/wsdl">' +
  `<e:Header><w:MessageID>uuid:${messageId}</w:MessageID>` +
  '<w:To e:mustUnderstand="true">urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>' +
  '<w:Action e:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action>' +
  '</e:Header><e:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>';

/** The cameras of an answer; none of what is no answer. Never throws. */
export function parseProbeMatches(bytes: Uint8Array): readonly FoundCamera[] {
  if (bytes.length > MAX_MESSAGE_BYTES) return [];
  const xml = new TextDecoder().decode(bytes);
  const found: FoundCamera[] = [];
  let match: Map<string, string> | undefined;
  for (const { name, closes, textBefore } of tagsOf(xml)) {
    if (name === 'ProbeMatch' && !closes) match = new Map();
    else if (name === 'ProbeMatch') {
      const camera = match && cameraOf(match);
      if (camera) found.push(camera);
      match = undefined;
    } else if (closes && match && !match.has(name)) match.set(name, textBefore);
    if (found.length >= MAX_MATCHES) break;
  }
  return found;
}

type Tag = Readonly<{ name: string; closes: boolean; textBefore: string }>;

/** The tags by their local names, in one pass. A document type, which SOAP forbids, ends it. */
function* tagsOf(xml: string): Generator<Tag> {
  let from = 0;
  for (let count = 0; count < MAX_TAGS; count += 1) {
    const start = xml.indexOf('<', from);
    const end = start < 0 ? -1 : xml.indexOf('>', start);
    if (end < 0 || xml.startsWith('<!DOCTYPE', start)) return;
    const [, closing, name = ''] =
      xml.slice(start, Math.min(end, start + 200)).match(/^<(\/?)(?:[\w.-]+:)?([\w.-]+)/) ?? [];
    if (name !== '') {
      yield { name, closes: closing === '/', textBefore: decodeEntities(xml.slice(from, start)) };
    }
    from = end + 1;
  }
}

function cameraOf(match: ReadonlyMap<string, string>): FoundCamera | undefined {
  const words = (field: string): string[] => (match.get(field) ?? '').trim().split(/\s+/);
  const addresses = words('XAddrs').filter(isServiceAddress).slice(0, MAX_ADDRESSES);
  if (addresses.length === 0) return undefined;
  const scopes = words('Scopes').slice(0, MAX_SCOPES);
  const scope = (category: string): string => {
    const prefix = `onvif://www.onvif.org/${category}/`;
    const said = scopes.find((one) => one.toLowerCase().startsWith(prefix));
    return shown(decodePercent(said?.slice(prefix.length) ?? ''), MAX_NAME);
  };
  return {
    id: shown(match.get('Address') ?? '', MAX_ID) || (addresses[0] ?? ''),
    name: scope('name'),
    hardware: scope('hardware'),
    addresses,
  };
}

function isServiceAddress(text: string): boolean {
  if (text.length > MAX_ADDRESS || !/^https?:\/\/[\x21-\x7e]+$/.test(text)) return false;
  return URL.canParse(text);
}

const shown = (text: string, most: number): string =>
  withoutControlCharacters(text).trim().slice(0, most);

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&apos;': "'",
};

/** The five of XML: nothing that cameras say needs more. */
const decodeEntities = (text: string): string =>
  text.replace(/&(?:amp|lt|gt|quot|apos);/g, (entity) => ENTITIES[entity] ?? entity);

/** A multivariant playlist with nothing but the picture of its smallest rendition. Pure. */

const STREAM_INF = '#EXT-X-STREAM-INF:';
const AUDIO_CODEC = /^(mp4a|ac-3|ec-3|opus|flac)/i;

/**
 * A tile is muted: without the sound it needs half the requests and one decoder. A playlist of sound alone
 * comes back as it is.
 */
export function smallestVariant(playlist: string): string {
  const lines = playlist.split(/\r?\n/);
  const variants = lines.flatMap((line, index) => {
    if (!line.startsWith(STREAM_INF)) return [];
    const attributes = attributesOf(line.slice(STREAM_INF.length));
    const address = lines.slice(index + 1).find((next) => next !== '' && !next.startsWith('#'));
    const isPicture = attributes.has('RESOLUTION');
    return address !== undefined && isPicture ? [{ attributes, address }] : [];
  });
  const bandwidth = ({ attributes }: (typeof variants)[number]): number =>
    Number(attributes.get('BANDWIDTH') ?? Number.POSITIVE_INFINITY);
  const [smallest] = variants.toSorted((a, b) => bandwidth(a) - bandwidth(b));
  if (!smallest) return playlist;
  const kept = [...smallest.attributes].flatMap(([name, value]) => {
    if (['AUDIO', 'SUBTITLES', 'CLOSED-CAPTIONS', 'VIDEO'].includes(name)) return [];
    return [`${name}=${name === 'CODECS' ? withoutAudio(value) : value}`];
  });
  const head = lines.filter((line) => /^#EXT(M3U$|-X-(VERSION|INDEPENDENT|DEFINE))/.test(line));
  return [...head, `${STREAM_INF}${kept.join(',')}`, smallest.address, ''].join('\n');
}

const attributesOf = (list: string): ReadonlyMap<string, string> =>
  new Map(
    Array.from(list.matchAll(/([A-Z0-9-]+)=("[^"]*"|[^",]*)/g), ([, name = '', value = '']) => [
      name,
      value,
    ]),
  );

const withoutAudio = (quoted: string): string => {
  const codecs = quoted.replaceAll('"', '').split(',');
  return `"${codecs.filter((codec) => !AUDIO_CODEC.test(codec.trim())).join(',')}"`;
};

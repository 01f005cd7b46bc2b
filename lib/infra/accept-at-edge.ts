/**
 * The code of a function at the edge: leaves of an Accept header what decides the format of a segment
 * (`acceptedTypes`), in one way of writing. Browsers' headers are long and differ; the cache is not to be
 * split by them.
 */

import { DOWNLOAD_FORMATS, MEDIA_FORMATS } from '../domain/media-format.ts';

const SUBTYPES = DOWNLOAD_FORMATS.map((name) => MEDIA_FORMATS[name].contentType.split('/')[1]);

/** A header that takes nothing of ours. */
const NONE = 'none/none';

export const NORMAL_ACCEPT = `function handler(event) {
  var request = event.request;
  var given = request.headers.accept;
  var lines = given && given.multiValue ? given.multiValue : [given || { value: '' }];
  var text = lines.map(function (line) { return line.value; }).join(',').toLowerCase();
  if (request.querystring.format || text.trim() === '') text = '*/*';
  var weights = {};
  text.split(',').forEach(function (item) {
    var parts = item.split(';').map(function (part) { return part.trim(); });
    var q = parts.slice(1).filter(function (part) { return part.indexOf('q=') === 0; })[0] || 'q=1';
    var isOurs = /^(video\\/(${SUBTYPES.join('|')}|\\*)|\\*\\/\\*)$/.test(parts[0]);
    var isWeight = /^q=(0(\\.\\d{0,3})?|1(\\.0{0,3})?)$/.test(q);
    if (isOurs && isWeight) weights[parts[0]] = Number(q.slice(2));
  });
  var ranges = Object.keys(weights).sort();
  var isOne = ranges.length === 1 && weights[ranges[0]] > 0;
  var kept = ranges.map(function (range) {
    return isOne || weights[range] === 1 ? range : range + ';q=' + weights[range];
  });
  request.headers.accept = { value: kept.join(',') || '${NONE}' };
  return request;
}`;

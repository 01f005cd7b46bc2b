/** Languages as the headers of MP4 tracks have them: ISO 639-2/T, packed (ISO/IEC 14496-12, 8.4.2). */

/** Of the languages with two letters that are spoken most; `elng` has all others whole. */
const CODES =
  'af:afr am:amh ar:ara az:aze be:bel bg:bul bn:ben bs:bos ca:cat cs:ces cy:cym da:dan de:deu el:ell en:eng eo:epo es:spa et:est eu:eus fa:fas fi:fin fr:fra ga:gle gl:glg gu:guj he:heb hi:hin hr:hrv hu:hun hy:hye id:ind is:isl it:ita ja:jpn ka:kat kk:kaz km:khm kn:kan ko:kor ku:kur ky:kir la:lat lb:ltz lo:lao lt:lit lv:lav mk:mkd ml:mal mn:mon mr:mar ms:msa mt:mlt my:mya nb:nob ne:nep nl:nld nn:nno no:nor pa:pan pl:pol ps:pus pt:por ro:ron ru:rus si:sin sk:slk sl:slv so:som sq:sqi sr:srp sv:swe sw:swa ta:tam te:tel tg:tgk th:tha tk:tuk tl:tgl tr:tur uk:ukr ur:urd uz:uzb vi:vie xh:xho yi:yid zh:zho zu:zul';

const BY_SUBTAG: ReadonlyMap<string, string> = new Map(
  CODES.split(' ').map((pair) => pair.split(':') as [string, string]),
);

/** Of a BCP 47 tag: three letters, five bits each. `und` for one without such a code. */
export function packLanguage(tag = 'und'): number {
  const [primary = ''] = tag.toLowerCase().split('-');
  const code = BY_SUBTAG.get(primary) ?? (/^[a-z]{3}$/.test(primary) ? primary : 'und');
  return [...code].reduce((packed, letter) => (packed << 5) | (letter.charCodeAt(0) - 0x60), 0);
}

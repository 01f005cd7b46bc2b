/** What a viewer has chosen, for the next streams in this browser: quality, audio, captions and their style, speed. */

import { type CaptionStyle, readCaptionStyle } from './caption-style.ts';

type Track = Readonly<{ id: number; name: string }>;

/** By name: other streams have other numbers. Absent: the player chooses. */
export type ViewerChoices = Readonly<{
  quality?: string;
  audio?: string;
  /** Empty: none. */
  captions?: string;
  captionStyle?: CaptionStyle;
  speed?: number;
}>;

const NAME = 'rivulet-viewer';

export function readChoices(storage: Pick<Storage, 'getItem'> = localStorage): ViewerChoices {
  try {
    const { quality, audio, captions, captionStyle, speed } = JSON.parse(
      storage.getItem(NAME) ?? '{}',
    );
    return {
      ...(typeof quality === 'string' && { quality }),
      ...(typeof audio === 'string' && { audio }),
      ...(typeof captions === 'string' && { captions }),
      ...(captionStyle && { captionStyle: readCaptionStyle(captionStyle) }),
      ...(typeof speed === 'number' && speed >= 0.25 && speed <= 4 && { speed }),
    };
  } catch {
    return {};
  }
}

/** A private window, or one whose storage is full, keeps nothing. */
export function keepChoices(
  choices: ViewerChoices,
  storage: Pick<Storage, 'setItem'> = localStorage,
): void {
  try {
    storage.setItem(NAME, JSON.stringify(choices));
  } catch {
    // The choice holds until the page is left.
  }
}

/** The track of that name; undefined when there is none, and when it is chosen already. */
export const trackToChoose = (
  tracks: readonly Track[],
  name: string | undefined,
  selected: number,
): number | undefined => {
  const id = tracks.find((track) => track.name === name)?.id;
  return id === selected ? undefined : id;
};

/** The choices with what the viewer picked in the menus; -1: the player chooses. */
export const withPicked = (
  { quality: _, ...rest }: ViewerChoices,
  { levels }: Readonly<{ levels: readonly Track[] }>,
  id: number,
): ViewerChoices => {
  const name = levels.find((level) => level.id === id)?.name;
  return { ...rest, ...(name !== undefined && { quality: name }) };
};

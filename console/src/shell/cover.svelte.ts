/// A sheet of a room covers the page: the top bar under it must not take the focus.
class Cover {
  covered = $state(false);
}

export const cover = new Cover();

/** Puts a plain, silent video element of `url` in the page's place. */
export const show_video = (page, url) =>
  page.evaluate((src) => {
    document.body.innerHTML = '';
    const video = document.createElement('video');
    video.muted = true;
    video.src = src;
    document.body.append(video);
  }, url);

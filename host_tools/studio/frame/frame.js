// The frame's own script, before the first paint.
window.beckonLanguage = {
  // Keep the choice for this browser; the server reads it with each request.
  choose(cookie, code) {
    document.cookie = `${cookie}=${code}; path=/; max-age=31536000; samesite=strict`;
    location.reload();
  },
};

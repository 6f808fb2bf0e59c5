# What the console says in its reader's language; so far, what stands around the notice.

console-notice-intro = This is what the employee reads before anything is captured.

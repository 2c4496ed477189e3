/** Results of a call of the fault handler that end a fault; after the others, fallback and retry, it is asked again. */
export const finalResults = ['nopage', 'sigbus', 'oom', 'other'] as const;

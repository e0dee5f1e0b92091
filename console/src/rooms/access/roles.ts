/// "auditor, reviewer" → ["auditor", "reviewer"]; also with spaces and Chinese commas, each once.
export const rolesOf = (text: string): string[] => [...new Set(text.split(/[\s,，、;；]+/).filter(Boolean))];

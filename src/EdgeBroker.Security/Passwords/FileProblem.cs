namespace EdgeBroker.Security.Passwords;

/// <summary>What is wrong with a file of secrets. Never holds a secret.</summary>
/// <param name="Line">The line, from 1; 0: the file as a whole.</param>
/// <param name="Text">Cause and cure.</param>
public sealed record FileProblem(int Line, string Text);

using System.Text;

namespace EdgeBroker;

/// <summary>Asks at the terminal for what nobody beside it may read.</summary>
internal static class HiddenPrompt
{
    /// <summary>The line typed; null when there is no terminal to type at.</summary>
    public static string? Ask(string prompt)
    {
        if (Console.IsInputRedirected) return null;
        Console.Error.Write(prompt);
        var typed = new StringBuilder();
        while (true)
        {
            ConsoleKeyInfo key = Console.ReadKey(intercept: true);
            if (key.Key == ConsoleKey.Enter) break;
            if (key.Key == ConsoleKey.Backspace) typed.Length = Math.Max(0, typed.Length - 1);
            else if (key.KeyChar >= ' ') typed.Append(key.KeyChar);
        }

        Console.Error.WriteLine();
        return typed.ToString();
    }
}

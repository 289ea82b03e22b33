using System.IO.Compression;
using System.Text.RegularExpressions;
using EdgeBroker.Http.Console;

namespace EdgeBroker.Http.Tests;

/// <summary>What of the web console is in the executable.</summary>
public sealed partial class ConsoleFileTests
{
    private const int LimitBytes = 80 * 1024;

    [Fact]
    public void The_page_names_files_that_are_there_and_nothing_outside()
    {
        string page = Text(Page);
        string[] named = [.. Address().Matches(page).Select(match => match.Groups[1].Value)];
        Assert.Equal(3, named.Length);
        Assert.All(named, name => Assert.Contains(ConsoleFile.All, file => "/" + file.Name == name && file.IsImmutable));
        Assert.DoesNotContain("://", page, StringComparison.Ordinal);
        Assert.DoesNotContain("style=", page, StringComparison.Ordinal);
        Assert.DoesNotMatch(InlineScript(), page);
    }

    [Fact]
    public void All_of_it_is_small() => Assert.InRange(ConsoleFile.All.Sum(file => file.Length), 1, LimitBytes);

    [Fact]
    public void The_licences_of_what_is_in_it_are_shown()
    {
        string licences = Text(ConsoleFile.All.Single(file => file.Name == "licences.txt"));
        Assert.All(["preact ", "@preact/signals ", "@preact/signals-core ", "uplot "], work => Assert.Contains(work, licences, StringComparison.Ordinal));
        Assert.Contains("Permission is hereby granted", licences, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_in_a_file_is_in_its_tag()
    {
        Assert.Equal(ConsoleFile.All.Count, ConsoleFile.All.Select(file => file.ETag).Distinct().Count());
        Assert.False(Page.IsImmutable);
        Assert.Equal("text/javascript; charset=utf-8", ConsoleFile.All.Single(file => file.Name.EndsWith(".js", StringComparison.Ordinal)).ContentType);
    }

    private static ConsoleFile Page => ConsoleFile.All.Single(file => file.IsPage);

    private static string Text(ConsoleFile file)
    {
        using Stream compressed = file.Open();
        using var plain = new StreamReader(new GZipStream(compressed, CompressionMode.Decompress));
        using var other = new StreamReader(file.OpenPlain());
        string text = plain.ReadToEnd();
        Assert.Equal(text, other.ReadToEnd());
        return text;
    }

    [GeneratedRegex("(?:src|href)=\"([^\"]+)\"")]
    private static partial Regex Address();

    [GeneratedRegex("<script(?![^>]*src=)|<style|\\son[a-z]+=", RegexOptions.IgnoreCase)]
    private static partial Regex InlineScript();
}

using System.Diagnostics;
using EdgeBroker.Cli.Files;
using EdgeBroker.Storage.Files;
using EdgeBroker.Testing;

namespace EdgeBroker.Cli.Tests.Access;

/// <summary>Owner and mode of the files that verbs write: of what they replace, or by the folder.</summary>
public sealed class WrittenFileTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string File => Path.Combine(_directory.Path, "file");

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("0750", true, "0640")]
    [InlineData("0700", true, "0600")]
    [InlineData("0755", true, "0600")]
    [InlineData("0755", false, "0644")]
    public void A_new_secret_is_shared_with_the_group_of_a_folder_that_is_closed_to_others(string folder, bool isSecret, string expected)
    {
        System.IO.File.SetUnixFileMode(_directory.Path, Mode(folder));
        WrittenFile.Write(File, "x"u8.ToArray(), isSecret);
        Assert.Equal(Mode(expected), System.IO.File.GetUnixFileMode(File));
    }

    [Theory]
    [InlineData("0604")]
    [InlineData("0660")]
    public void What_is_replaced_keeps_its_mode_and_a_link_its_target(string mode)
    {
        _directory.Write("real", "old");
        string real = Path.Combine(_directory.Path, "real");
        System.IO.File.SetUnixFileMode(real, Mode(mode));
        System.IO.File.CreateSymbolicLink(File, real);
        WrittenFile.Write(File, "new"u8.ToArray(), isSecret: true);
        Assert.Equal("new", System.IO.File.ReadAllText(real));
        Assert.Equal(Mode(mode), System.IO.File.GetUnixFileMode(real));
        Assert.Equal(real, new FileInfo(File).LinkTarget);
    }

    [Fact]
    public void What_root_writes_belongs_to_whom_it_is_for()
    {
        const uint Nobody = 65_534;
        // Whoever is not root owns what he makes, whatever the folder.
        if (!Environment.IsPrivilegedProcess) return;
        Chown(_directory.Path);
        WrittenFile.MakeFolder(Path.Combine(_directory.Path, "certs"));
        WrittenFile.Write(Path.Combine(_directory.Path, "certs", "new"), "x"u8.ToArray(), isSecret: true);
        Assert.Equal((Nobody, Nobody), FileOwner.Of(Path.Combine(_directory.Path, "certs", "new")));
        _directory.Write("of-root", "x");
        WrittenFile.Write(Path.Combine(_directory.Path, "of-root"), "y"u8.ToArray(), isSecret: true);
        Assert.Equal((0u, 0u), FileOwner.Of(Path.Combine(_directory.Path, "of-root")));

        static void Chown(string path)
        {
            using Process chown = Process.Start("chown", [$"{Nobody}:{Nobody}", path]);
            chown.WaitForExit();
        }
    }

    private static UnixFileMode Mode(string octal) => (UnixFileMode)Convert.ToInt32(octal, 8);
}

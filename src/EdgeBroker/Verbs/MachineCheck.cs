using EdgeBroker.Configuration;
using EdgeBroker.Transport.Linux;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.UnixSockets;

namespace EdgeBroker.Verbs;

/// <summary>What a valid configuration meets on this machine: whether the data directory can be used, addresses and accounts are there.</summary>
internal sealed class MachineCheck
{
    private readonly List<string> _errors = [];
    private readonly List<string> _warnings = [];

    /// <summary>What would end the start.</summary>
    public IReadOnlyList<string> Errors => _errors;

    /// <summary>What may be otherwise when the broker starts.</summary>
    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>Looks, with the permissions of whoever asks.</summary>
    public static MachineCheck Of(BrokerConfiguration configuration)
    {
        var check = new MachineCheck();
        check.CheckData(configuration.Node.DataDirectory);
        foreach (ListenerSettings listener in configuration.Listeners) check.CheckListener(listener);
        return check;
    }

    private void CheckData(string directory)
    {
        string shown = Printable.Escape(directory);
        if (File.Exists(directory))
        {
            _errors.Add($"node.data_dir: {shown} is a file; name a folder");
            return;
        }

        if (!Directory.Exists(directory))
        {
            string above = directory;
            while (!Directory.Exists(above) && Path.GetDirectoryName(above) is { } next) above = next;
            if (File.Exists(above)) _errors.Add($"node.data_dir: {shown} cannot be made: {Printable.Escape(above)} is a file");
            else if (!MayWrite(above)) _warnings.Add($"node.data_dir: {shown} is not there, and this user may not make it; the unit does (StateDirectory=)");
            return;
        }

        if (!MayWrite(directory))
        {
            _errors.Add($"node.data_dir: this user may not write to {shown}; give it the folder (chown -R USER {shown})");
            return;
        }

        foreach (string file in Directory.GetFiles(directory, "edgebroker.*").Where(file => !MayChange(file)))
        {
            _errors.Add($"node.data_dir: this user may not change {Printable.Escape(file)}; give it the file (chown USER {Printable.Escape(file)})");
        }
    }

    private void CheckListener(ListenerSettings listener)
    {
        string shown = Printable.Escape(listener.Address);
        if (!listener.Address.StartsWith("unix:", StringComparison.Ordinal))
        {
            if (SocketAddress.IsPresent(listener.Address)) return;
            _warnings.Add($"{shown}: this machine has no such address or name now; the listener is opened once it has");
            return;
        }

        string folder = Path.GetDirectoryName(listener.Address["unix:".Length..])!;
        if (!Directory.Exists(folder)) _warnings.Add($"{shown}: the folder {Printable.Escape(folder)} is not there now; the unit makes /run/edgebroker");
        else if (!MayWrite(folder)) _errors.Add($"{shown}: this user may not write to the folder {Printable.Escape(folder)}");
        if (listener.SocketFile.User is { } user && LocalAccounts.UserId(user) is null)
        {
            _errors.Add($"{shown}: owner: there is no user \"{Printable.Escape(user)}\" on this machine");
        }

        if (listener.SocketFile.Group is { } group && LocalAccounts.GroupId(group) is null)
        {
            _errors.Add($"{shown}: owner: there is no group \"{Printable.Escape(group)}\" on this machine");
        }
    }

    private static bool MayWrite(string folder)
    {
        string probe = Path.Combine(folder, $".edgebroker-check-{Guid.NewGuid():N}");
        return Succeeds(() => new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose).Dispose());
    }

    // Sockets cannot be opened, and are made anew.
    private static bool MayChange(string file) =>
        file.EndsWith(".sock", StringComparison.Ordinal)
            || Succeeds(() => new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite).Dispose());

    private static bool Succeeds(Action work)
    {
        try
        {
            work();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
